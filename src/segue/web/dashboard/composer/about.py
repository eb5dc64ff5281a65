"""What a campaign is called: fields that stand at the top of the first step."""

from segue.web.dashboard.form_fields import Fields, Tree, put

ABOUT_PATHS = ("name", "slug", "description", "tags")


def read_about(fields: Fields, tree: Tree) -> None:
    """Put name, slug, description and tags into the tree."""
    for name in ("name", "slug"):
        tree[name] = fields.text(name)
    put(tree, "description", fields.raw("description").strip())
    lines = fields.raw("tags").split("\n")
    put(tree, "tags", [one.strip() for one in lines if one.strip()] or None)
