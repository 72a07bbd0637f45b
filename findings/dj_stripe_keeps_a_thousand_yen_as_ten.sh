#!/bin/sh
# dj-stripe 2.11.0 with stripe 15.6.2 and Django 5.2.9 (PyPI): a charge and its full refund, as Stripe's webhooks bring
# them, kept in the tables: 1999 cents of EUR, and 1000 JPY, a currency without decimals.
# Guess: both amounts of one currency are kept alike: 1999 and 1999, or 19.99 and 19.99; 1000 yen are 1000.
# Seen: Charge.amount is a hundredth of what Stripe says, in every currency: 19.99 EUR, and 10.00 JPY, also as text, though
# the package has a list of currencies without decimals. Refund.amount is what Stripe says: 1999 and 1000. A query that takes
# refunds from charges finds a hundred times the money gone.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "dj-stripe==2.11.0" "stripe==15.6.2" "Django==5.2.9"
cat > amounts.py <<'END'
from unittest.mock import patch

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    STRIPE_TEST_SECRET_KEY="sk_test_" + "x" * 24,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    MIGRATION_MODULES={"contenttypes": None, "auth": None, "djstripe": None},
)
django.setup()

from django.core.management import call_command
from djstripe.models import Charge, Refund

call_command("migrate", run_syncdb=True, verbosity=0)
both = {"created": 1772366400, "livemode": False, "status": "succeeded", "balance_transaction": None}


def keep(model, row):
    """Keep the row as a webhook's handler does; which account it belongs to would be asked of Stripe."""
    with patch.object(model, "_find_owner_account", return_value=None):
        model.sync_from_stripe_data(both | row)
    return model.objects.get(id=row["id"])


for currency, amount in ("eur", 1999), ("jpy", 1000):
    money = {"amount": amount, "currency": currency}
    charge = keep(Charge, {"id": f"ch_{currency}", "object": "charge", "captured": True, "paid": True, **money})
    refund = keep(Refund, {"id": f"re_{currency}", "object": "refund", "charge": charge.id, **money})
    print(f"{currency}: charge {charge.amount} ({charge}), refund {refund.amount}")
END
venv/bin/python amounts.py > seen
cat seen
cat > wanted <<'END'
eur: charge 19.99 (€19.99 EUR (Succeeded)), refund 1999
jpy: charge 10.00 (10.00 JPY (Succeeded)), refund 1000
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a thousand yen are kept as ten, their refund as a thousand"
