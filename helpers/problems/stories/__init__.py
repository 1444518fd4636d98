"""The schemas, one module a theme; importing this package registers them all."""

from . import (  # noqa: F401
    asking,
    changing,
    earning,
    gathering,
    growing,
    having,
    inviting,
    reading,
    sharing,
    spending,
    traveling,
)
