"""Which currencies Stripe knows and which amounts it takes in them.

Written beside the books' own table: each tests the other.
Sources: docs.stripe.com/currencies (zero- and three-decimal currencies, special cases, minimum amounts);
support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds (the code for ISK); the list of
currencies is the one in Stripe's own refusal, quoted in public repositories of 2024, with XCG of 2025. The
minimums of BGN, CZK, RON and THB are from memory.
"""

from hobbs.local.stripe_sim import errors

KNOWN = (  # noqa: SIM905
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn "
    "bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf "
    "gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp "
    "lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab "
    "pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs "
    "tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw usdc btn ghs "
    "eek lvl svc vef ltl sll mro "
).split()
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
TENS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
HUNDREDS = frozenset({"isk", "ugx"})
HUNDREDS_IN_PAYOUTS = HUNDREDS | {"huf", "twd"}
NO_DECIMALS = "invalid_charge_amount_no_decimal_compatible"

# The smallest charge in minor units, by the currency in which it settles.
CHARGE_MIN = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "mxn": "$", "cad": "$", "aud": "$"}


def known(currency: str) -> str:
    """The currency, or Stripe's refusal of one that it does not know."""
    if currency not in KNOWN:
        raise errors.invalid_param(
            "currency",
            f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(KNOWN)}",
        )
    return currency


def check(currency: str, amount: int, *, payout: bool = False) -> None:
    """Refuse an amount with decimals that Stripe does not take."""
    step = step_of(currency, payout=payout)
    if amount % step:
        raise errors.invalid_param(
            "amount",
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by {step}.",
            NO_DECIMALS if step == 100 else "parameter_invalid_integer",
        )


def step_of(currency: str, *, payout: bool = False) -> int:
    if currency in TENS:
        return 10
    return 100 if currency in (HUNDREDS_IN_PAYOUTS if payout else HUNDREDS) else 1


def check_minimum(currency: str, amount: int, settled_currency: str, settled_amount: int) -> None:
    """Refuse a charge below the minimum of the currency in which it settles."""
    least = CHARGE_MIN.get(settled_currency, 0)
    if settled_amount >= least:
        return
    if currency == settled_currency:
        message = f"Amount must be at least {written(currency, least)} {currency}"
    else:
        needed = "50 cents" if settled_currency == "usd" else written(settled_currency, least)
        message = (
            f"Amount must convert to at least {needed}. {written(currency, amount)} converts to "
            f"approximately {written(settled_currency, settled_amount)}."
        )
    raise errors.invalid_param("amount", message, "amount_too_small")


def written(currency: str, amount: int) -> str:
    digits = decimals(currency)
    number = f"{amount / 10**digits:,.{digits}f}"
    return SYMBOLS[currency] + number if currency in SYMBOLS else f"{number} {currency.upper()}"


def decimals(currency: str) -> int:
    """Decimals of Stripe's unit of a currency: ISK and UGX are written in hundredths."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in TENS else 2
