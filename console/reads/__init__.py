"""What the console reads of published views, as lists and figures. Objects are read through the desks."""
