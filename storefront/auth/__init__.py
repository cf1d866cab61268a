"""Accounts seen from the browser: register, sign in, sign out, change the password."""
