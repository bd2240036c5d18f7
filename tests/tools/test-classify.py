#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`swin classify` on pictures that GStreamer itself has made."""
import csv
import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

SWIN = os.path.abspath(sys.argv.pop(1))
FOLDER = tempfile.TemporaryDirectory()

# What videotestsrc draws, and what testcard calls it.
PATTERNS = {"smpte": "colour bars", "snow": "snow", "checkers-8": "checkerboard", "black": "black"}


def path_of(name):
    return os.path.join(FOLDER.name, name)


def launch(pipeline, name):
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split(), "!", "filesink", f"location={path_of(name)}"],
                   check=True)
    return path_of(name)


def make_picture(name, pattern, encoder, width=320, height=240):
    return launch(f"videotestsrc num-buffers=1 pattern={pattern} ! video/x-raw,width={width},height={height} ! "
                  f"videoconvert ! {encoder}", name)


def turn(source, name, orientation):
    """A copy of a JPEG that says how the camera was held (EXIF 2.3, 4.6.4.A), and nothing else."""
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    with open(source, "rb") as file:
        jpeg = file.read()
    with open(path_of(name), "wb") as file:
        file.write(jpeg[:2] + struct.pack(">HH", 0xffe1, 8 + len(tiff)) + b"Exif\0\0" + tiff + jpeg[2:])
    return path_of(name)


def classify(*arguments, **options):
    return subprocess.run([SWIN, "classify", *arguments], stderr=subprocess.PIPE, check=False, timeout=60,
                          **{"stdout": subprocess.PIPE, "encoding": "utf-8", **options})


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = [make_picture(f"{pattern} {encoder[:3]}", pattern, encoder)
                     for pattern in PATTERNS for encoder in ("pngenc", "jpegenc")]
        cls.expected = [label for label in PATTERNS.values() for _ in range(2)]
        with open(path_of("text"), "w", encoding="utf-8") as file:
            file.write("This is no picture.\n")
        for source, name, share in ((cls.files[0], "cut.png", 0.1), (cls.files[0], "cut more.png", 0.8),
                                    (cls.files[1], "cut.jpg", 0.8)):
            with open(source, "rb") as whole, open(path_of(name), "wb") as cut:
                data = whole.read()
                cut.write(data[:int(share * len(data))])
        with open(path_of("empty.png"), "wb"):
            pass

    def test_json(self):
        for batch in ("1", "3"):
            result = classify("testcard", *self.files, "--json", "--top-k", "2", "--batch", batch)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stderr, "")
            lines = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertEqual([line["file"] for line in lines], self.files)
            self.assertEqual([line["tags"][0]["label"] for line in lines], self.expected)
            for line in lines:
                self.assertEqual(set(line), {"file", "tags"})
                self.assertEqual(len(line["tags"]), 2)
                for tag in line["tags"]:
                    self.assertEqual(set(tag), {"label", "index", "confidence"})
                    self.assertTrue(0 <= tag["confidence"] <= 1)

    def test_csv(self):
        result = classify("testcard", self.files[0], "--csv", "--top-k", "3")
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        self.assertEqual([row["rank"] for row in rows], ["1", "2", "3"])
        self.assertEqual((rows[0]["file"], rows[0]["label"]), (self.files[0], "colour bars"))
        self.assertGreater(float(rows[0]["confidence"]), float(rows[1]["confidence"]))

    def test_text(self):
        result = classify("testcard", self.files[2], "--threshold", "0.5")
        self.assertEqual(result.stdout.splitlines()[0], self.files[2])
        self.assertRegex(result.stdout.splitlines()[1], r"^ +\d+\.\d %  snow$")
        self.assertEqual(len(result.stdout.splitlines()), 2)

    def test_labels(self):
        labels = path_of("labels.txt")
        with open(labels, "w", encoding="utf-8") as file:
            file.write("".join(f'label "{i}", really\n' for i in range(19)))
        result = classify("testcard", self.files[0], "--csv", "--labels", labels)
        self.assertEqual(list(csv.DictReader(io.StringIO(result.stdout)))[0]["label"], 'label "0", really')
        with open(labels, "a", encoding="utf-8") as file:
            file.write("one too many\n")
        result = classify("testcard", self.files[0], "--labels", labels)
        self.assertEqual((result.returncode, result.stdout), (1, ""))

    def test_goes_on(self):
        wrong = [path_of("missing.png"), path_of("text"), path_of("cut.png"), FOLDER.name, path_of("cut more.png"),
                 path_of("cut.jpg"), path_of("empty.png")]
        files = [self.files[0], *wrong[:2], self.files[3], *wrong[2:], self.files[6]]
        result = classify("testcard", *files, "--json")
        self.assertEqual(result.returncode, 1)
        self.assertEqual([json.loads(line)["file"] for line in result.stdout.splitlines()],
                         [self.files[0], self.files[3], self.files[6]])
        for path in wrong:
            self.assertEqual(result.stderr.count(path + " "), 1, result.stderr)
        self.assertIn("7 of 10 pictures", result.stderr)

    # A stream to which nothing is linked may neither end nor fail.
    def test_sound(self):
        for seconds, muxer in ((0.1, "matroskamux"), (2, "matroskamux"), (0.1, "oggmux"), (2, "oggmux")):
            file = launch(f"audiotestsrc num-buffers={int(seconds * 44100 / 1024) + 1} ! vorbisenc ! {muxer}", "sound")
            result = classify("testcard", file)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(file + " cannot be read as a picture: there is none in it", result.stderr)

    def test_film(self):
        file = launch("videotestsrc num-buffers=30 ! theoraenc ! queue ! mux. "
                      "audiotestsrc num-buffers=40 ! vorbisenc ! queue ! mux. oggmux name=mux", "film")
        result = classify("testcard", file, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(json.loads(result.stdout)["tags"][0]["label"], "colour bars")

    def test_no_ordinary_file(self):
        os.mkfifo(path_of("pipe"))
        result = classify("testcard", path_of("pipe"))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no ordinary file", result.stderr)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_permission(self):
        file = make_picture("secret.png", "black", "pngenc")
        os.chmod(file, 0)
        result = classify("testcard", file)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn(file + " cannot be read", result.stderr)

    # A file whose contents name an address is no reason to connect to it.
    def test_no_network(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0)
            address = f"http://127.0.0.1:{server.getsockname()[1]}/part.ts"
            with open(path_of("list"), "w", encoding="utf-8") as file:
                file.write(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\n{address}\n")
            result = classify("testcard", path_of("list"))
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertRaises(BlockingIOError, server.accept)

    def test_orientation(self):
        flips = {1: "identity", 3: "180", 6: "90r", 8: "90l"}
        source = make_picture("source.jpg", "smpte", "jpegenc")
        names = [turn(source, f"turned {i}.jpg", i) for i in flips]
        upright = [launch(f"filesrc location={source} ! jpegdec idct-method=islow ! "
                          f"videoconvert dither=none ! video/x-raw,format=RGB ! videoflip video-direction={flip} ! pngenc",
                          f"upright {i}.png") for i, flip in flips.items()]
        result = classify("testcard", *names, *upright, "--json", "--top-k", "19")
        self.assertEqual(result.returncode, 0, result.stderr)
        confidences = [{tag["label"]: tag["confidence"] for tag in json.loads(line)["tags"]}
                       for line in result.stdout.splitlines()]
        for one, other in zip(confidences[:4], confidences[4:]):
            for label, confidence in one.items():
                self.assertAlmostEqual(confidence, other[label], places=4)
        self.assertNotAlmostEqual(confidences[0]["colour bars"], confidences[2]["colour bars"], places=4)

    def test_names(self):
        with open(self.files[0], "rb") as file:
            picture = file.read()
        names = ["k\u00e4se \"1\", 2.png", "two\nlines.png", "-dash.png"]
        for name in names:
            with open(path_of(name), "wb") as file:
                file.write(picture)
        for locale in ("C", "C.UTF-8"):
            options = {"cwd": FOLDER.name, "env": {**os.environ, "LC_ALL": locale}}
            result = classify("testcard", "--json", "--", *names, **options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual([json.loads(line)["file"] for line in result.stdout.splitlines()], names)
            result = classify("testcard", "--csv", "--top-k=1", "--", *names, **options)
            rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
            self.assertEqual([row["file"] for row in rows], names)

    def test_name_that_is_no_text(self):
        name = os.fsencode(FOLDER.name) + b"/\xff\xe9.png"
        with open(self.files[0], "rb") as file, open(name, "wb") as copy:
            copy.write(file.read())
        result = classify("testcard", name, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("\ufffd", json.loads(result.stdout)["file"])
        os.truncate(name, 100)
        result = classify("testcard", name, "--json", encoding=None)
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn(b".png cannot be read as a picture", result.stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_output_that_fails(self):
        with open("/dev/full", "wb") as full:
            for style in ("--json", "--csv", "--top-k=1"):
                result = classify("testcard", self.files[0], style, stdout=full)
                self.assertEqual(result.returncode, 1)
                self.assertIn("could be written", result.stderr)

    def test_sizes(self):
        for width, height in ((1, 1), (3, 1200), (17, 23), (1000, 2)):
            file = make_picture("odd.png", "white", "pngenc", width, height)
            result = classify("testcard", file, "--json")
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_mistakes(self):
        for arguments in (("testcard",), ("testcard", "x", "--top-k", "0"), ("testcard", "x", "--batch", "65"),
                          ("testcard", "x", "--json", "--csv"), ("testcard", "x", "--threshold", "1.5"),
                          ("testcard", "x", "--threshold", "nan"), ("testcard", "x", "--image-size", "wide"),
                          ("testcard", "x", "--image-size", "12x0"), ("no-such-model", "x", "--activation", "relu")):
            self.assertEqual(classify(*arguments).returncode, 2, arguments)
        result = classify("no-such-model", self.files[0])
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no-such-model", result.stderr)


if __name__ == "__main__":
    unittest.main()
