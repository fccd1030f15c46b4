"""Why a service does not do what it was asked."""


class Refused(Exception):
    """The request is wrong: answered with `status` and the sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class Unavailable(Exception):
    """Something this service needs does not answer."""
