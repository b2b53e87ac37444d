"""A project of the ordinary kind: what every step reaches can be followed."""

from shop.features import shifted as shifted
