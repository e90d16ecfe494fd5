"""Content Credentials: writing them into a file, and reading back what they state.

writing    ingredients (what it was made from) → signing → signed_file (appears whole, or not at all)
           large_wav: signing without holding a long WAV in memory
reading    containers (what kind of file) → measure (how large, before c2pa looks) → statement → reasons
both       store: c2pa without a network; text: strangers' words made harmless
"""
