"""What does this person wear on the face? Glasses, as a part of their own."""
