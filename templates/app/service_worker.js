/* The shell for a phone without a connection: one page and the files it is made of, nothing else. Whatever is
   asked goes to heatmon first; only where that cannot be reached does the shell answer. Numbers are never kept. */
"use strict";
const kept = (request) => caches.match(request, { ignoreVary: true, ignoreSearch: true });
const files = new Set(SHELL.files.map((file) => new URL(file, self.location).pathname));
/* What a proxy says when nobody answers behind it. */
const NOBODY = [502, 504];

self.addEventListener("install", (event) => {
  const fresh = SHELL.files.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(SHELL.cache).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = (names) => names.filter((name) => name.startsWith(SHELL.family) && name !== SHELL.cache);
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(others(names).map((name) => caches.delete(name))))
      .then(() => self.registration.navigationPreload && self.registration.navigationPreload.enable())
      .then(() => self.clients.claim())
  );
});

async function page(event) {
  try {
    const answer = (await event.preloadResponse) || (await fetch(event.request));
    return NOBODY.includes(answer.status) ? (await kept(SHELL.page)) || answer : answer;
  } catch (error) {
    return (await kept(SHELL.page)) || Promise.reject(error);
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    return (await kept(request)) || Promise.reject(error);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const address = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (address.origin === self.location.origin && files.has(address.pathname)) event.respondWith(file(request));
});
