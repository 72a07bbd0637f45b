#!/bin/sh
# dj-stripe 2.11.0 (PyPI): charges of 19.99 USD, of 1000 JPY, which have no smaller unit, and of 12.340 KWD, which have
# thousandths, as Stripe sends them; then of each a part is refunded, "a positive decimal amount", to a server of our own.
# Guess: amount, a decimal, is 19.99, 1000 and 12.34; the refunds go out as 500, 500 and 1000 of the smallest unit.
# Seen: every amount is divided by 100, whatever its currency, so that 1000 yen are kept and shown as 10.00, and
# 12.340 dinars as 123.40. A refund of 500 yen is more than these 10.00, so it is cut to them, and all 1000 yen are sent
# back, without a word; of a dinar a tenth is.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "dj-stripe==2.11.0" "Django==5.2.19" "stripe==15.6.2"
cat > refund.py <<'END'
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import django
import stripe
from django.conf import settings
from django.core.management import call_command


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        print("sent:", self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": "re_1", "object": "refund"}')

    def log_message(self, *given):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
stripe.api_base = f"http://127.0.0.1:{server.server_port}"
key = "sk_test_" + 24 * "0"
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    STRIPE_LIVE_MODE=False,
    STRIPE_TEST_SECRET_KEY=key,
    USE_TZ=True,
)
django.setup()
call_command("migrate", verbosity=0)

from djstripe.models import Account, APIKey, Charge, Refund  # noqa: E402

school = Account.objects.create(id="acct_1", livemode=False, stripe_data={})
APIKey.objects.create(secret=key, livemode=False, type="secret", djstripe_owner_account=school)
Refund.sync_from_stripe_data = lambda answer, **given: answer  # only what is sent counts here
for currency, units, back in (("usd", 1999, "5.00"), ("jpy", 1000, "500"), ("kwd", 12340, "1.000")):
    charge = {"id": f"ch_{currency}", "object": "charge", "amount": units, "amount_refunded": 0, "currency": currency}
    charge |= {"created": 1767225600, "livemode": False, "status": "succeeded", "captured": True}
    Charge.sync_from_stripe_data(charge)
    kept = Charge.objects.get(id=charge["id"])
    print(units, currency, "kept as", kept.amount, "shown as", kept)
    kept.refund(amount=Decimal(back))
END
cat > wanted <<'END'
1999 usd kept as 19.99 shown as $19.99 USD (Succeeded)
sent: charge=ch_usd&amount=500
1000 jpy kept as 10.00 shown as 10.00 JPY (Succeeded)
sent: charge=ch_jpy&amount=1000
12340 kwd kept as 123.40 shown as 123.40 KWD (Succeeded)
sent: charge=ch_kwd&amount=100
END
venv/bin/python refund.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a refund of half the yen sends back all of them"
