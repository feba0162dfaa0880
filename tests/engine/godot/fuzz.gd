# Hostile packets through the reader, in Godot 3.2.   usage: see test_godot.py
#
# packets.bin: for each packet u8 kind, u32 length, bytes. told.bin: for each an int32 answer, and where something was read the
# media time, weights and turns as doubles.
extends SceneTree

const Wire = preload("res://wire/wire_generated.gd")
const Reader = preload("res://wire/reader.gd")


func _initialize():
	var packets = File.new()
	packets.open("res://packets.bin", File.READ)
	var out = File.new()
	out.open("res://told.bin", File.WRITE)
	var reader = Reader.new()  # of the bridge's packets; who sends datagrams is another one each time
	var sound = Wire.Sound.new()
	while packets.get_position() < packets.get_len():
		var kind = packets.get_8()
		var bytes = packets.get_buffer(packets.get_32())
		var face = Wire.Frame.new()
		var answer = -1
		match kind:
			0:
				answer = 1 if reader.frame(bytes, face) else -1
			1:
				answer = 2 if reader.sound(bytes, sound) else -1
			2:
				answer = 2 if reader.acknowledged(bytes) >= 0 else -1
			3:
				answer = Reader.new().livelink(bytes, face, 0.0)
			4:
				answer = Reader.new().vmc(bytes, face, 0.0)
		out.store_32(answer)
		if answer == 0 or answer == 1:
			out.store_double(face.media_time_s)
			for values in [face.weights, face.head_wxyz, face.left_eye_wxyz, face.right_eye_wxyz]:
				for value in values:
					out.store_double(value)
	out.close()
	quit()
