"""weigh"""
