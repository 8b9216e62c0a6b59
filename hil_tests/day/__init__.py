"""One whole day of a meter on a table, told in sentences, and everything that the meter did in it, written down."""
