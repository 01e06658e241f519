"""Help: the tutorial and all other documentation, readable without the internet."""

from core.ui import handbook

handbook.draw()  # the title of the page is that of the document
