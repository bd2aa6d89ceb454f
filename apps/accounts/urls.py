"""Login, logout, first account, read-only links."""

from django.urls import path

from . import views, visiting

app_name = "accounts"
urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", views.Logout.as_view(), name="logout"),
    path("setup", views.setup, name="setup"),
    path("v/<str:secret>", visiting.open_link, name="open_link"),
]
