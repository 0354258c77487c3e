"""stub"""

import shutil


def installed() -> bool:
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))
