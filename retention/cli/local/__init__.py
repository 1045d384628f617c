"""What is typed on the machine itself, without the service: init, check, demo, schema."""
