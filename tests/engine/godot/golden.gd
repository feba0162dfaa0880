# The golden packets through the reader, in Godot 3.2.   usage: see test_godot.py; the project holds golden/ and wire/
extends SceneTree

const Wire = preload("res://wire/wire_generated.gd")
const Reader = preload("res://wire/reader.gd")

var _reader = Reader.new()


func _initialize():
	var frame = Wire.Frame.new()
	var sound = Wire.Sound.new()
	var told = {
		"frame": _reader.frame(_bytes("frame.bin"), frame),
		"sound": _reader.sound(_bytes("sound.bin"), sound),
		"ack": _reader.acknowledged(_bytes("ack.bin")),
	}
	told["frame_told"] = _told(frame)
	told["face"] = [frame.face(), sound.face(), frame.flags & Wire.HELD, frame.flags & Wire.JUMPED, sound.flags & Wire.LAST]
	told["sound_told"] = [sound.rate_hz, sound.seq, is_nan(sound.media_time_s), sound.samples]
	told["same"] = {
		"frame.bin": _reader.frame_bytes(frame) == _bytes("frame.bin"),
		"sound.bin": _reader.sound_bytes(sound) == _bytes("sound.bin"),
		"ack.bin": _reader.ack_bytes(told["ack"]) == _bytes("ack.bin"),
	}
	for form in ["livelink", "vmc_arkit"]:
		var face = Wire.Frame.new()
		var answers = []
		var reader = Reader.new()
		for name in JSON.parse(_text("golden/dialects.json")).result["datagrams"][form]["files"]:
			answers.append(reader.livelink(_bytes(name), face, 0.0) if form == "livelink" else reader.vmc(_bytes(name), face, 0.0))
		told[form] = answers
		told[form + "_told"] = _told(face)
	var out = File.new()
	out.open("res://told.json", File.WRITE)
	out.store_string(JSON.print(told))
	out.close()
	quit()


func _told(frame):
	return {
		"seq": frame.seq,
		"media_time_s": frame.media_time_s,
		"weights": frame.weights,
		"turns": [frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz],
	}


func _bytes(name):
	var file = File.new()
	file.open("res://golden/" + name, File.READ)
	return file.get_buffer(file.get_len())


func _text(name):
	var file = File.new()
	file.open("res://" + name, File.READ)
	return file.get_as_text()
