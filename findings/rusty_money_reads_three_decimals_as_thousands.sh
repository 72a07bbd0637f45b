#!/bin/sh
# rusty-money 0.5.1 (Rust): 1.3 hours at 99.99, 129.987, made from a decimal, written with amount().to_string() and read
# again with Money::from_str(), in three currencies.
# Guess: each is 129.987, or the text is refused everywhere: it is a plain decimal, which says nothing of any country.
# Seen: in EUR it is 129987.00, a thousandfold. from_str() reads by a country's habits, which hang on the currency: in EUR
# the point groups thousands. With two decimals, 129.99, the same way back is an error in EUR, so that amounts in tests
# may tell of it and the rare third decimal does not.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"

[dependencies]
rust_decimal = "=1.43.0"
rusty-money = { version = "=0.5.1", features = ["iso"] }
END
cat > src/main.rs <<'END'
use rust_decimal::Decimal;
use rusty_money::{iso, Money};

fn main() {
    for currency in [iso::USD, iso::CHF, iso::EUR] {
        for amount in [Decimal::new(129987, 3), Decimal::new(12999, 2)] {
            let text = Money::from_decimal(amount, currency).amount().to_string();
            match Money::from_str(&text, currency) {
                Ok(back) => println!("{text} {}: {:.3}", currency.iso_alpha_code, back.amount()),
                Err(error) => println!("{text} {}: {error:?}", currency.iso_alpha_code),
            }
        }
    }
}
END
cat > wanted <<'END'
129.987 USD: 129.987
129.99 USD: 129.990
129.987 CHF: 129.987
129.99 CHF: 129.990
129.987 EUR: 129987.000
129.99 EUR: InvalidAmount
END
cargo run -q > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an amount in EUR comes back a thousandfold"
