package main

import "github.com/stripe/stripe-go/v85"

var flows = []flow{
	{"an express account is made, onboarded by its link, and can be paid", accountOnboarded},
	{"accounts are paged through though the newest are deleted", accountsPaged},
	{"another platform's account is a permission error", accountOfNobody},
	{"a recipient is made by v2, onboarded and paid", recipientByV2},
	{"a transfer is made, found, reversed in parts, and both sides' rows are there", transferReversed},
	{"a transfer that cannot be made says why by its code", transferRefused},
	{"a payee pays out by hand and at once, with StripeAccount", payouts},
	{"balance transactions are paged through forwards and backwards", rowsPaged},
	{"a card pays, and the charge and its fee are expanded", cardPays},
	{"a declined card is a card error with its code and charge", cardDeclined},
	{"a customer is kept with address and metadata, and an empty value deletes", customerKept},
	{"a payment is refunded in parts and not twice", refunds},
	{"what the client retries by itself has one effect", retried},
	{"what the client does not retry is sent again with its key, one effect", repeated},
	{"a locked object is retried", lockRetried},
	{"too many requests are not retried", rateLimited},
	{"a saved 500 is replayed to the same key and not executed again", savedFailure},
	{"a key of the user's is replayed, and another use of it refused", keyReplayed},
	{"wrong parameters name the parameter", wrongParameters},
	{"a raw request has parameters and an account", rawRequest},
	{"a delivered event is verified, and a tampered, stale or foreign one is not", eventVerified},
	{"a delivered thin event is parsed, and its event and object are fetched", thinEventParsed},
	{"events are listed by type and time, newest first", eventsListed},
	{"the context of a client is the account it acts for", contextActs},
	{"habits on the wire", habits},
}

func main() {
	stripe.DefaultLeveledLogger = &stripe.LeveledLogger{Level: stripe.LevelNull}
	for _, one := range flows {
		perform(one)
	}
	sim("reset", wire{})
}
