"""Face sets: a folder of faces of one person, and the file that says where each of them was.

faceset.FaceSet.open(folder)                 the faces in a folder, with what is known of each
alignments.read_alignments(path)             that file alone: boxes, landmarks, squares, frame hashes
measure.frame_hash(picture)                  what `alignments` knows a frame by
keep.tell_apart, keep.Filter                 whose face is kept
sorting.sort_faces(folder, by)               puts the pictures of a folder in order
sheet.draw_sheet(…)                          a contact sheet

`pipelines.extract_faces` makes face sets. The format is described in `docs/face-sets.md`.
"""
