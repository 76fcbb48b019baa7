"""The outside world for development: a payment provider, a mailbox, and faults on demand.

A service of its own. It shares no code with the shop and meets it only over HTTP and SMTP, as the real
Stripe and a real mail server would. It keeps everything in memory and forgets it when it stops.
"""
