"""Consent records: who allowed what to be made of their face or voice, signed for others to check."""
