"""Parts of make_film.py: people, pictures of them, the script of shots, rendering, files in many containers."""
