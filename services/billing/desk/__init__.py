"""What people may ask of billing: bills, refused flights, and the school's book with its history."""
