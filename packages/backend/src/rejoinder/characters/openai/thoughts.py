"""Thoughts that a model writes into its text, between <think> and </think> at the beginning, taken out of it. Pure."""

OPENING = ("<think>", "<thinking>", "<thought>")


class Thoughts:
    """Takes the pieces of one answer in their order and gives what of it is text."""

    def __init__(self) -> None:
        self._held = ""
        self._thought: list[str] = []
        self._closing = ""
        self._begun = False
        self._after = False

    def feed(self, piece: str) -> str:
        """What of the answer so far is text and was not given yet."""
        if self._begun:
            return piece
        self._held += piece
        if not self._closing and not self._open():
            return ""
        if self._closing:
            thought, mark, rest = self._held.partition(self._closing)
            if not mark:
                # Enough to know the closing mark by when it comes.
                cut = max(0, len(self._held) - len(self._closing))
                self._thought.append(self._held[:cut])
                self._held = self._held[cut:]
                return ""
            self._thought.append(thought)
            self._held, self._closing, self._after = rest, "", True
            # Models that think twice do it right away.
            return self.feed("")
        self._begun = True
        text, self._held = self._held, ""
        return text.lstrip() if self._after else text

    def end(self) -> str:
        """What was held back in case it would become a mark."""
        held, self._held = self._held, ""
        if self._closing:
            self._thought.append(held)
        return "" if self._closing or self._begun else held

    def taken(self) -> str:
        """What was taken out since this was asked last."""
        thought = "".join(self._thought)
        self._thought.clear()
        return thought

    def _open(self) -> bool:
        """Whether it is known by now that the text begins, with a thought or without."""
        start = self._held.lstrip()
        for mark in OPENING:
            if start.startswith(mark):
                self._closing = f"</{mark[1:]}"
                self._held = start[len(mark) :]
                return True
        return bool(start) and not any(mark.startswith(start) for mark in OPENING)
