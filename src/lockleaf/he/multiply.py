"""Products of ciphertexts, for which SEAL is needed: squares, from which a variance comes."""

from __future__ import annotations

from lockleaf.he.codec import NATIVE, Ciphertext, read_ciphertext, write_ciphertext
from lockleaf.he.contexts import PublicContext, write_public_context
from lockleaf.he.errors import Mismatch, UnsupportedOperation

__all__ = ["Squarer"]


class Squarer:
    """Squares ciphertexts of one account, with its relinearisation keys.

    SEAL reads what is written here from checked numbers, never what a client sent. It is native code all the same: use
    it in a process that may die.

    Squares are at level 1. Bound: as many squares of the largest value may be summed as values. Error of the sum of n
    squares of values of magnitude x: (2 * x + 1) * F * sqrt(n) + n * x^2 * 2^-44.
    """

    def __init__(self, context: PublicContext) -> None:
        """Load the keys.

        Raises:
            UnsupportedOperation: the parameter set has no products, or the context no relinearisation keys.
        """
        import tenseal  # noqa: PLC0415  (heavy)

        if "square" not in context.parameters.operations:
            raise UnsupportedOperation(f"{context.parameters.name} has no products")
        if context.relinearisation_keys is None:
            raise UnsupportedOperation("the public context has no relinearisation keys")
        self._parameters = context.parameters
        self._context = tenseal.context_from(write_public_context(context, NATIVE), n_threads=1)

    def square(self, ciphertext: Ciphertext) -> Ciphertext:
        """Return the square of a fresh ciphertext, slot by slot.

        Raises:
            Mismatch: it is of another parameter set, or not fresh.
        """
        import tenseal  # noqa: PLC0415

        if ciphertext.parameters != self._parameters or ciphertext.level or ciphertext.scale != self._parameters.scale:
            raise Mismatch("only fresh ciphertexts of the context's set are squared")
        vector = tenseal.ckks_vector_from(self._context, write_ciphertext(ciphertext, NATIVE))
        squared = read_ciphertext((vector * vector).serialize(), self._parameters, level=None)
        # TenSEAL leaves the scale as it was. It is the square of that, divided by the prime that rescaling dropped: the
        # two differ by 1e-7, and so would every result.
        scale = ciphertext.scale**2 / self._parameters.primes_at(0)[-1]
        return Ciphertext(
            self._parameters, ciphertext.version, squared.residues, scale, ciphertext.values, squared.level
        )
