"""The filter builder: audiences as forms, under any name, with counts, samples and tests.

`kinds` is what can be said; `reading` reads a form, `views` is what the templates in
templates/filters show of a filter; `counting` are the routes that tell whom it is about.
"""
