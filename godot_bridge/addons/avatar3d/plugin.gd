@tool
## Project > Tools > "avatar3d: move the selected head": a receiver and a driver for it, in one step that can be undone.
##
## The two nodes are there by their class names with the plugin off as well.
extends EditorPlugin

const MENU: String = "avatar3d: move the selected head"


func _enter_tree() -> void:
	add_tool_menu_item(MENU, _move_selected)


func _exit_tree() -> void:
	remove_tool_menu_item(MENU)


func _move_selected() -> void:
	var root: Node = EditorInterface.get_edited_scene_root()
	var selected: Array[Node] = EditorInterface.get_selection().get_selected_nodes()
	if root == null or selected.is_empty() or not selected[0] is Node3D:
		push_warning("avatar3d: select the head (a Node3D) in a scene first.")
		return
	var receiver: Node = _made("Avatar3DReceiver", preload("avatar3d_receiver.gd"))
	var driver: Node = _made("Avatar3DFace", preload("avatar3d_face.gd"))
	driver.set("receiver", receiver)
	driver.set("avatar", selected[0])
	var steps: EditorUndoRedoManager = get_undo_redo()
	steps.create_action(MENU)
	for node: Node in [receiver, driver]:
		steps.add_do_method(root, "add_child", node, true)
		steps.add_do_property(node, "owner", root)
		steps.add_do_reference(node)
		steps.add_undo_method(root, "remove_child", node)
	steps.commit_action()


## Not by new(): what is no tool script is a placeholder in the editor, which only knows what it exports.
func _made(title: String, script: Script) -> Node:
	var node: Node = Node.new()
	node.name = title
	node.set_script(script)
	return node
