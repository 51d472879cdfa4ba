"""The local page: the journal in a browser, served by the SDK on its user's own machine.

What stands here imports `lockleaf.client` and nothing below it. `running` puts it together and serves it; `guard` lets
nobody in but the browser that was opened; `desk` holds the open journal; `routes` answer.
"""
