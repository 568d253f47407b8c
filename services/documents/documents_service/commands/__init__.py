"""The use cases. Those that need the network open no transaction around it."""
