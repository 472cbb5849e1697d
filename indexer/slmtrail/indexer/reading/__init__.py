"""Reading: what is made of many records. All of it asks through one function, and so sees what its reader may see."""
