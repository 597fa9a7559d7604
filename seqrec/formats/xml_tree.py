"""XML from outside: parsed without entities, and names without their namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from seqrec.errors import UserError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parse_xml(data: bytes) -> Element:
    """Return the root element of a document.

    Raises:
        UserError: it is not well-formed, or it brings a DTD or an entity.
    """
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import fromstring
    except ImportError as error:  # beside an exported model, where not all is installed that seqrec depends on
        raise UserError(f"XML needs defusedxml ({error}); install it with `pip install defusedxml`") from None
    try:
        return fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UserError(f"a DTD or entity is refused ({type(error).__name__}); take it out") from None
    except (ParseError, ValueError, LookupError) as error:  # the last two: unknown encodings
        raise UserError(f"not well-formed XML ({error}); mend it or export it again") from None


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]
