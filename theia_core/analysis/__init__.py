"""Analysis: pictures and numbers that show what an encoder sees."""
