# session.gd and keeper.gd in Godot 3.2, at times that are given.   usage: see test_godot.py
extends SceneTree

const Wire = preload("res://wire/wire_generated.gd")
const Session = preload("res://wire/session.gd")
const Keeper = preload("res://wire/keeper.gd")


func _initialize():
	var told = {"shown": [], "said": [], "acks": [], "pauses": [], "new": [], "refusals": []}
	var keeper = Keeper.new()
	var face = Wire.Frame.new()
	face.weights[24] = 1.5  # jawOpen
	face.weights[0] = -3.0
	face.head_wxyz = [-0.6, 0.8, 0.0, 0.0]
	keeper.took(face, 10.0)
	for ms in [0, 100, 250, 375, 500, 625, 749, 750, 5000]:
		var moves = keeper.stepped(10.0 + ms / 1000.0)
		told["shown"].append([ms, moves, keeper.shown.weights[24], keeper.shown.weights[0], keeper.shown.head_wxyz.duplicate()])
	var session = Session.new({"pairing_code": "123-456", "name": "test", "token": ""})
	session.opened()
	told["said"].append(session.asks(0.0))
	told["said"].append(session.heard({"type": "hello", "versions": [1]}, 0.0).duplicate(true))
	told["said"].append(session.heard({"type": "identified", "client": "c", "ack_every": 2.0, "media_time_s": 100.0, "token": "T",
			"rate_hz": 60, "faces": [{"number": 0}]}, 1.0))
	told["said"].append(session.asks(1.0))
	told["said"].append(session.asks(2.9))
	session.heard({"type": "clock", "sent_s": 1.0, "received_s": 100.003, "media_time_s": 100.003}, 1.004)
	told["media_time_s"] = session.media_time_s_at(2.0)
	for seq in [5, 5, 6, 7, 8, 8, 9]:
		told["acks"].append(session.came(seq))
	for media_time_s in [101.5, 100.8, 100.7]:
		told["new"].append(session.is_new(media_time_s, 2.0))
	for odd in [null, 3, [], "x", {}, {"type": 7}, {"type": "clock"}, {"type": "identified"}, {"type": "identified", "ack_every": "x",
			"faces": 3, "token": 5}, {"type": "clock", "sent_s": {}}]:
		session.heard(odd, 3.0)
	session = Session.new({"pairing_code": "123-456"})
	session.heard({"type": "identified", "token": "kept"}, 0.0)
	told["token"] = [session.token, session.heard({"type": "hello"}, 0.0)]
	for code in [1006, -1, 4008, 4001, 1001, 1001]:
		told["pauses"].append(session.closed(code, 1.0))
	for code in [4003, 4002, 1000, 4009]:
		told["pauses"].append(session.closed(code, 1.0))
		told["refusals"].append(session.refusal)
	var out = File.new()
	out.open("res://told.json", File.WRITE)
	out.store_string(JSON.print(told))
	out.close()
	quit()
