"""Building blocks of the sharing screens: the form of a new share, and the parts several screens draw."""
