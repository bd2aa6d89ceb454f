from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0008_outbox_size'),
    ]

    operations = [
        migrations.AddField(
            model_name='derivedstate',
            name='first_answer_at',
            field=models.DateTimeField(null=True),
        ),
    ]
