"""The composer (ux.md B2, 4): a campaign in six steps, saved at every step.

`step` is what a step is; `steps` are the six of them; `frame` is what stands around each;
`writing` are the routes. A step is a module with a `STEP` and a template in templates/composer.
"""
