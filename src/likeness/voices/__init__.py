"""Voices of people who agreed: what enrolment keeps of a person, and the file it is kept in.

voice        Voice: everything that is known of a person's voice; PitchRange
voice_file   write_voice, open_voice: one safetensors file, with the consent record inside
"""
