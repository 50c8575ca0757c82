"""The operator's side of an evaluation: questions and answers, in a small web page and in a terminal."""
