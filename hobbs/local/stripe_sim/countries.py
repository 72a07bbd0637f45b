"""The countries in which a connected account can be, and those in which it cannot.

Source: docs.stripe.com/connect/cross-border-payouts and stripe.com/global; the lists are from memory.
"""

_OWN = (  # noqa: SIM905
    "AE aed AL all AM amd AO aoa AR ars AU aud AZ azn BA bam BD bdt BG bgn BH bhd BN bnd BO bob BR "
    "brl BS bsd BT btn BW bwp CA cad CH chf LI chf CL clp CO cop CR crc CZ czk DK dkk DO dop DZ dzd "
    "EG egp ET etb AT eur BE eur CY eur DE eur EE eur ES eur FI eur FR eur GR eur HR eur IE eur IT "
    "eur LT eur LU eur LV eur MC eur MT eur NL eur PT eur SI eur SK eur SM eur GB gbp GI gbp GH ghs "
    "GM gmd GT gtq GY gyd HK hkd HU huf ID idr IL ils IN inr IS isk JM jmd JO jod JP jpy KE kes KH "
    "khr KR krw KW kwd KZ kzt LA lak LK lkr MA mad MD mdl MG mga MK mkd MN mnt MO mop MU mur MX mxn "
    "MY myr MZ mzn NA nad NG ngn NO nok NZ nzd OM omr PE pen PH php PK pkr PL pln PY pyg QA qar RO "
    "ron RS rsd RW rwf SA sar SE sek SG sgd TH thb TN tnd TR try TT ttd TW twd TZ tzs EC usd PA usd "
    "PR usd SV usd US usd UY uyu UZ uzs VN vnd GA xaf AG xcd LC xcd BJ xof CI xof NE xof SN xof ZA "
    "zar "
).split()
CURRENCY_OF: dict[str, str] = dict(zip(_OWN[::2], _OWN[1::2], strict=True))
"""By country: the currency in which an account there settles unless it says otherwise."""

UNSUPPORTED = frozenset(
    (  # noqa: SIM905
        "AD AF AI AQ AS AW AX BB BF BI BL BM BQ BV BY BZ CC CD CF CG CK CM CN CU CV CW CX DJ DM EH ER FJ "
        "FK FM FO GD GE GF GG GL GN GP GQ GS GU GW HM HN HT IM IO IQ IR JE KG KI KM KN KP KY LB LR LS LY "
        "ME MF MH ML MM MP MQ MR MS MV MW NC NF NI NP NR NU PF PG PM PN PS PW RE RU SB SC SD SH SJ SL SO "
        "SR SS ST SX SY SZ TC TD TF TG TJ TK TL TM TO TV UA UG UM VA VC VE VG VI VU WF WS XK YE YT ZM ZW "
    ).split()
)
