"""The signed biller API: inquire, notify, status. Start with README.md."""
