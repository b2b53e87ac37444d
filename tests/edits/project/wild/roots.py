"""A class whose children are counted."""


class Root:
    pass


class Leaf(Root):
    pass
