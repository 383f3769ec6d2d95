"""The console: pages that draw what the services answer.

It holds no query and no arithmetic; everything it shows comes from `app.services` for the scope
of whoever looks. What is on a page is in its address, so a pasted link shows the same picture.
"""
