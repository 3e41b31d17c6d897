"""Gives a checkpoint's generation_config.json, a link, the settings of two-frame clips."""

import json
import sys
from pathlib import Path

path = Path(sys.argv[1])
settings = json.loads(path.read_text())
path.unlink()
settings |= {"video_format": "frames", "video_frames": 2, "video_max_frames": 4, "video_fps": 2}
path.write_text(json.dumps(settings))
