"""The process that looks for a QR code in one picture, under ``child_limits``. Run by ``card_picture``.

It reads the picture from its standard input, writes the text of the code to its standard output and ends with
``FOUND``, ``NO_CODE`` or ``NO_PICTURE``. It is the only owner of the libraries that know pictures.

Sources: ISO/IEC 18004 (QR code); Pillow, "Image.MAX_IMAGE_PIXELS" (pictures that unpack to far more).
"""

from __future__ import annotations

import io
import sys
import warnings

import zxingcpp
from PIL import Image, UnidentifiedImageError

from pgo.usecases.child_limits import limit_memory, limit_time, refuse_power

FOUND, NO_CODE, NO_PICTURE = 0, 3, 4
FORMS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 50_000_000
"""More than the camera of a telephone makes; 50 MB in one colour."""


def main() -> int:
    """Look at one picture."""
    limit_memory()
    data = sys.stdin.buffer.read()
    limit_time(len(data))
    Image.init()  # loads the readers of all forms before nothing may be opened any more
    refuse_power()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMS).convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, MemoryError):
        return NO_PICTURE
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return NO_PICTURE
    codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    texts = {code.text for code in codes if code.valid and code.text}
    if len(texts) != 1:  # two different cards on one picture: nobody knows which is meant
        return NO_CODE
    sys.stdout.buffer.write(texts.pop().encode("utf-8"))
    sys.stdout.buffer.flush()
    return FOUND


if __name__ == "__main__":
    sys.exit(main())
