"""What a text model sees in pictures: the form of its answers, where they are kept, and what is learned from them."""
