"""What litres cost and when the valve may close: calendar, tariff, rating, debt, policy (docs/TARIFFS.md)."""
