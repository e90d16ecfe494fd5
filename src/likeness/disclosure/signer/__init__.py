"""Who signs, and whom to trust.

identity       the identity of this computer: made on first use, or brought
brought        checking a certificate and key that somebody brings
certificates   reading certificates, and what they may be used for
anchors        the authorities that a signature is held against
trust          the list of authorities that the owner chose to trust
"""
