"""What a person sees and presses. It reads the store and posts commands; nothing here renders speech."""
