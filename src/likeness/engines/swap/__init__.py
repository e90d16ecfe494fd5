"""One face in the place of another: what happens inside the square around it. No video files here.

nearest     which of B's pictures shows what A does just now
meshwarp    that picture, bent onto A's points
model       a trained model (its own module, which needs torch)
colour      the light and the colours of the scene, brought to the new face
mask        how much of each pixel is new face
occlusion   what is in front of the face
steady      points without the tracker's trembling
paste       back into the picture

Pictures of a square are (size, size, 3) uint8 RGB, masks (size, size) float32 from 0 to 1.
"""
