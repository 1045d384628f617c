"""The camera register: published lists, ids as labels, what people decide about them."""
